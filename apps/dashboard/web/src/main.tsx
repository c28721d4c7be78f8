import { render } from 'preact';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element with the id "page"');
render(<h1>Tocsin</h1>, root);
