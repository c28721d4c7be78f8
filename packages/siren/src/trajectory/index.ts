export { type ChatFormat, chatFormatOf } from './chat-format.js';
export { ChatTemplate } from './chat-template.js';
export { renderTrajectory } from './render-trajectory.js';
export type { TrajectoryInput } from './trajectory-input.js';
