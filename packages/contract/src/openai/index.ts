/** The wire formats of OpenAI's moderations, files, batches and models. */
export * from './batch.js';
export * from './error.js';
export * from './file.js';
export * from './list.js';
export * from './model.js';
export * from './moderation.js';
