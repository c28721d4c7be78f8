/** The graph with unsigned weights beside a graph in 8-bit arithmetic: see `RoundedLayers` of @tocsin/backbone. */
export const unsignedFileOf = (modelFile: string): string => modelFile.replace(/\.onnx$/, '.unsigned.onnx');
