/* The heads of the report: they turn, in colours of their errors, and go from one method to the next. */
(async () => {
  const element = document.getElementById('heads');
  if (element === null) return;
  try {
    const [three, heads] = await Promise.all([libraryAddress('three'), unpacked('heads-data')]);
    showHeads(await import(three), JSON.parse(heads), element);
  } catch (error) {
    cannotShow(element, error);
  }
})();

/** @param {string} text base64 @returns {ArrayBuffer} */
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;

function showHeads(THREE, data, element) {
  const canvas = element.querySelector('canvas');
  const choice = element.querySelector('select');
  const slider = element.querySelector('input[type=range]');
  const plain = element.querySelector('input[type=checkbox]');
  const names = element.querySelector('output');

  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(30, 1, 1, 10_000);
  scene.add(new THREE.HemisphereLight(0xffffff, 0x555566, 1.6));
  const light = new THREE.DirectionalLight(0xffffff, 1.8);
  camera.add(light);
  scene.add(camera);

  const faces = new Uint32Array(bytesOf(data.faces));
  const geometry = new THREE.BufferGeometry();
  const positions = new THREE.BufferAttribute(new Float32Array(3 * data.vertexCount), 3);
  const colours = new THREE.BufferAttribute(new Float32Array(3 * data.vertexCount), 3);
  geometry.setAttribute('position', positions);
  geometry.setAttribute('color', colours);
  geometry.setIndex(new THREE.BufferAttribute(faces, 1));
  const material = new THREE.MeshStandardMaterial({ vertexColors: true, roughness: 0.75, side: THREE.DoubleSide });
  const turning = new THREE.Group();
  turning.add(new THREE.Mesh(geometry, material));
  scene.add(turning);

  let heads = [];
  let radius = 150;
  /** @param {number} index of a frame */
  const showFrame = (index) => {
    const frame = data.frames[index];
    heads = frame.heads.map(({ name, positions, errors }) => ({
      name,
      positions: Float32Array.from(new Int16Array(bytesOf(positions)), (value) => value * data.unit),
      colours: coloursOf(errors === null ? null : new Uint8Array(bytesOf(errors))),
    }));
    const furthest = heads[0].positions.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    radius = 1.35 * furthest;
    slider.max = String(heads.length - 1);
    if (Number(slider.value) > heads.length - 1) slider.value = slider.max;
    turning.quaternion.fromArray(frame.front);
    draw();
  };

  const skin = [0.77, 0.745, 0.72];
  const coloursOf = (errors) => {
    const rgb = new Float32Array(3 * data.vertexCount);
    for (let vertex = 0; vertex < data.vertexCount; vertex++) {
      const entry = errors === null ? data.unmeasured : data.palette[errors[vertex]];
      for (let channel = 0; channel < 3; channel++) {
        // The palette is in the screen's colours; the renderer reckons in linear ones.
        rgb[3 * vertex + channel] = (entry[channel] / 255) ** 2.2;
      }
    }
    return rgb;
  };

  const mix = (from, to, share, into) => {
    for (let i = 0; i < into.length; i++) into[i] = from[i] * (1 - share) + to[i] * share;
  };

  let scheduled = false;
  const draw = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      const at = Number(slider.value);
      const [from, to] = [heads[Math.floor(at)], heads[Math.ceil(at)]];
      const share = at - Math.floor(at);
      mix(from.positions, to.positions, share, positions.array);
      if (plain.checked) for (let i = 0; i < colours.array.length; i++) colours.array[i] = skin[i % 3] ** 2.2;
      else mix(from.colours, to.colours, share, colours.array);
      positions.needsUpdate = true;
      colours.needsUpdate = true;
      geometry.computeVertexNormals();
      geometry.computeBoundingSphere();
      const width = canvas.clientWidth;
      const height = canvas.clientHeight;
      renderer.setSize(width, height, false);
      camera.aspect = width / height;
      camera.position.set(0, 0, ((radius / Math.sin((15 * Math.PI) / 180)) * Math.max(1, height / width)) / zoom);
      camera.updateProjectionMatrix();
      renderer.render(scene, camera);
      names.textContent = share === 0 ? from.name : `${from.name} → ${to.name}`;
      canvas.setAttribute('aria-label', `${choice.selectedOptions[0].textContent}: ${names.textContent}`);
      element.dataset.drawn = `${choice.value} ${slider.value}`;
    });
  };

  let zoom = 1;
  const turn = (x, y) => {
    const axis = new THREE.Quaternion().setFromEuler(new THREE.Euler(y, x, 0));
    turning.quaternion.premultiply(axis);
    draw();
  };
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 1) turn(event.movementX * 0.01, event.movementY * 0.01);
  });
  canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener('keydown', ({ key }) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[key];
    if (step) turn(...step);
  });
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom = Math.min(8, Math.max(0.5, zoom * Math.exp(-event.deltaY / 300)));
      draw();
    },
    { passive: false },
  );
  choice.addEventListener('change', () => showFrame(Number(choice.value)));
  slider.addEventListener('input', draw);
  plain.addEventListener('change', draw);
  new ResizeObserver(draw).observe(canvas);
  showFrame(0);
}
