/** onnxruntime, with its telemetry off. Nothing else imports `onnxruntime-node`: that would load it with telemetry. */
import './onnxruntime-telemetry.js';

export { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
