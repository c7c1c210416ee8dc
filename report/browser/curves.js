/* The curves of the report: losses, validation and learning rate by step. */
(async () => {
  const elements = [...document.querySelectorAll('.curve')];
  if (elements.length === 0) return;
  try {
    const [uplot, curves] = await Promise.all([libraryAddress('uplot'), unpacked('curves-data')]);
    const { default: Plot } = await import(uplot);
    for (const element of elements) showCurve(Plot, JSON.parse(curves)[Number(element.dataset.curve)], element);
  } catch (error) {
    for (const element of elements) cannotShow(element, error);
  }
})();

function showCurve(Plot, { title, logarithmic, lines }, element) {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line') }, ticks: { stroke: colour('--line') } };
  const figure = (value) => (value === null || value === undefined ? '–' : Number(value).toPrecision(4));
  const options = {
    title,
    width: element.clientWidth,
    height: 260,
    scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis, label: 'step' },
      { ...axis, size: 60 },
    ],
    series: [
      { label: 'step' },
      ...lines.map(({ label, points }, i) => ({
        label,
        stroke: ['#3b7ddd', '#e0663a', '#2f9e63', '#b0791a'][i % 4],
        width: 1.5,
        spanGaps: true,
        points: { show: points },
        value: (_, value) => figure(value),
      })),
    ],
  };
  const plot = new Plot(options, Plot.join(lines.map(({ steps, values }) => [steps, values])), element);
  new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 260 })).observe(element);
}
