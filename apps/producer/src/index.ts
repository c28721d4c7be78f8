export { runProducer } from './run-producer.js';
