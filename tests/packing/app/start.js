// SPDX-License-Identifier: MIT
//
// What the page's address asks for after the #. Shows what arrives, and what fails, in the page.
const show = (text) => document.body.append(Object.assign(document.createElement('p'), { textContent: text }));

const pages = {
  '#default': () => import('./main.js').then(({ start }) => start(show)),
  '#external': () => import('./external.js').then(({ start }) => start(show)),
  '#worker': () => import('./pair.js').then(({ start }) => start(show)),
};

Promise.resolve().then(pages[location.hash]).catch((error) => show(`failed: ${error}`));
