export { type Produced, type ProducerOptions, runProducer } from './run-producer.js';
