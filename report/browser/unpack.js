/** Unpacks what the report carries: texts and libraries as compressed script blocks. */

/** @param {string} id of a script block @returns {Promise<string>} its text */
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

/** @param {string} text of a module @returns {string} an address that it can be imported from */
const moduleAddress = (text) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));

/**
 * A library of the page. What it imports by a bare name is another one of the page.
 *
 * @param {string} name
 * @returns {Promise<string>} its address
 */
async function libraryAddress(name) {
  let text = await unpacked(`library-${name}`);
  for (const [, other] of text.matchAll(/from '(three-core)'/g)) {
    libraryAddresses[other] ??= libraryAddress(other);
    text = text.replaceAll(`from '${other}'`, `from '${await libraryAddresses[other]}'`);
  }
  return moduleAddress(text);
}

const libraryAddresses = {};

/** Says in the page what could not be shown; the tables and pictures stay. */
function cannotShow(element, error) {
  element.replaceChildren(`This browser cannot show it: ${error.message ?? error}`);
  element.classList.add('note');
}
