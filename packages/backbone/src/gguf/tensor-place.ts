import { damaged, unsupported } from './gguf-error.js';
import type { GgufHeader, TensorInfo } from './header.js';
import { BLOCKS, readableType, type TensorType, typeName } from './tensor-type.js';

/** Where a tensor is and how to read it. */
export interface TensorPlace {
  dtype: TensorType;
  /** Hugging Face order: [outputs, inputs]. */
  shape: number[];
  /** Bytes from the start of the file. */
  offset: number;
  byteLength: number;
}

/**
 * Where a tensor is in the file, all of it checked against the file's size.
 * @throws UserError for a type that cannot be read, a row that is not whole blocks, an offset that is misaligned, or
 *   data that would reach beyond the end of the file
 */
export function placeTensor(header: GgufHeader, tensor: TensorInfo): TensorPlace {
  checkStart(header, tensor);
  const dtype = readableType(tensor.typeId);
  if (dtype === undefined) {
    throw unsupported(
      header.path,
      `tensor "${tensor.name}" is of type ${typeName(tensor.typeId)}; supported are ${Object.keys(BLOCKS).join(', ')}`,
    );
  }
  const byteLength = byteLengthOf(header.path, tensor, dtype);
  const offset = header.dataStart + tensor.offset;
  if (offset + byteLength > header.fileSize) {
    throw damaged(
      header.path,
      `tensor "${tensor.name}" needs bytes ${offset} to ${offset + byteLength}; the file ends at ${header.fileSize}`,
    );
  }
  return { dtype, shape: tensor.dimensions.toReversed(), offset, byteLength };
}

/** The same checks for a tensor that is not read, and may be of a type that cannot be. */
export function checkUnreadTensor(header: GgufHeader, tensor: TensorInfo): void {
  if (readableType(tensor.typeId) === undefined) checkStart(header, tensor);
  else placeTensor(header, tensor);
}

function checkStart(header: GgufHeader, tensor: TensorInfo): void {
  if (tensor.offset % header.alignment !== 0) {
    throw damaged(
      header.path,
      `tensor "${tensor.name}" is at offset ${tensor.offset}; expected a multiple of the alignment ${header.alignment}`,
    );
  }
  if (header.dataStart + tensor.offset >= header.fileSize) {
    throw damaged(
      header.path,
      `tensor "${tensor.name}" starts at byte ${header.dataStart + tensor.offset}; the file ends at ${header.fileSize}`,
    );
  }
}

function byteLengthOf(path: string, tensor: TensorInfo, dtype: TensorType): number {
  const block = BLOCKS[dtype];
  const [row = 0, ...others] = tensor.dimensions;
  if (row % block.elements !== 0) {
    throw damaged(
      path,
      `tensor "${tensor.name}" has rows of ${row} elements; ${dtype} needs a multiple of ${block.elements}`,
    );
  }
  return others.reduce((product, size) => product * size, (row / block.elements) * block.bytes);
}
