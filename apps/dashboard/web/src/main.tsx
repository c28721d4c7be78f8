import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/table.css';
import './style/notices.css';
import './style/layout.css';
import './content/content.css';
import './histogram/histogram.css';
import './runs/runs.css';
import './run/run.css';
import './review/review.css';
import './policies/policies.css';
import './session/sign-in.css';
import { render } from 'preact';
import { App } from './app.js';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element with the id "page"');
render(<App />, root);
