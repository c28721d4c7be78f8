/**
 * From 1.30 on, onnxruntime sends usage data to Microsoft unless this is set when its library is loaded: it makes a device id,
 * writes files into the cache and temporary directories, and looks up a collector. It is set whatever the environment says.
 * An import of this module must come before any that loads the library; processes started from here inherit it.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

export {};
