/**
 * Since 1.30, onnxruntime sends usage data to Microsoft unless this is set when its library is loaded: it creates a device
 * id, writes files into the cache and temporary directories, and contacts a collector. Overrides the environment. Import
 * this module before any that loads the library; child processes inherit it.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

export {};
