/** The wire formats of OpenAI's moderations, files, batches and models. */
export * from './batch.js';
export * from './moderation.js';
