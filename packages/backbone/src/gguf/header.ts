import { type ByteCursor, damaged, quote, unsupported } from './byte-cursor.js';
import { BLOCKS, readableType, type TensorType, typeName } from './gguf-tensor.js';
import { Metadata, type MetadataEntry, readMetadataEntry } from './metadata.js';

const MAGIC = 'GGUF';
/** 2 and 3 have the same little-endian layout; 1 had 32-bit lengths and is extinct. */
const VERSIONS = [2, 3];
const BIG_ENDIAN_VERSION = 0x0300_0000;
const DEFAULT_ALIGNMENT = 32;
const MAX_DIMENSIONS = 4;
/** The format's limits; ggml itself stops at 63 bytes of a tensor's name. */
const MAX_KEY_BYTES = 65_535;
const MAX_NAME_BYTES = 64;
/** The smallest entry: an empty key, a type, one byte. */
const MIN_PAIR_BYTES = 13;
/** The smallest entry: an empty name, one dimension, type and offset. */
const MIN_TENSOR_BYTES = 32;

/** Everything before the tensor data of a GGUF file. */
export interface GgufHeader {
  path: string;
  metadata: Metadata;
  tensors: TensorInfo[];
  /** Tensor offsets are multiples of this. */
  alignment: number;
  /** Where tensor data starts, bytes from the start of the file. */
  dataStart: number;
  fileSize: number;
}

/** A tensor as the header lists it. */
export interface TensorInfo {
  name: string;
  /** Elements per row first: the reverse of Hugging Face's order. */
  dimensions: number[];
  /** ggml's number for the type. */
  typeId: number;
  /** From `dataStart`. */
  offset: number;
}

/**
 * Reads a GGUF header (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * @throws UserError naming the file, the key or tensor, the value found and the one expected
 */
export function readHeader(cursor: ByteCursor): GgufHeader {
  readMagicAndVersion(cursor);
  const tensorCount = cursor.length('a tensor count of');
  const pairCount = cursor.length('a metadata count of');
  cursor.expectRoom(pairCount, MIN_PAIR_BYTES, 'a metadata count of');
  const metadata = readMetadata(cursor, pairCount);
  cursor.reading = 'the tensor list';
  cursor.expectRoom(tensorCount, MIN_TENSOR_BYTES, 'a tensor count of');
  const tensors = readTensorInfos(cursor, tensorCount);
  const alignment = alignmentOf(metadata);
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  return { path: cursor.path, metadata, tensors, alignment, dataStart, fileSize: cursor.size };
}

function readMagicAndVersion(cursor: ByteCursor): void {
  const magic = Buffer.from([cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()]);
  if (magic.toString('latin1') !== MAGIC) {
    throw unsupported(
      cursor.path,
      `the file starts with bytes ${magic.toString('hex')}; expected ${Buffer.from(MAGIC).toString('hex')} ("${MAGIC}")`,
      'This is no GGUF file. Name a .gguf file, or a Hugging Face directory.',
    );
  }
  const version = cursor.u32();
  if (VERSIONS.includes(version)) return;
  const found = version === BIG_ENDIAN_VERSION ? 'big-endian' : `version ${version}`;
  throw unsupported(
    cursor.path,
    `the GGUF file is ${found}; supported are versions ${VERSIONS.join(' and ')}, little-endian`,
  );
}

function readMetadata(cursor: ByteCursor, count: number): Metadata {
  const entries = new Map<string, MetadataEntry>();
  for (let i = 0; i < count; i++) {
    cursor.reading = `metadata key ${i + 1} of ${count}`;
    const key = cursor.string(MAX_KEY_BYTES);
    cursor.reading = `metadata key ${quote(key)}`;
    if (entries.has(key)) throw damaged(cursor.path, `${cursor.reading} occurs twice`);
    entries.set(key, readMetadataEntry(cursor));
  }
  return new Metadata(cursor.path, entries);
}

function readTensorInfos(cursor: ByteCursor, count: number): TensorInfo[] {
  const tensors = new Map<string, TensorInfo>();
  for (let i = 0; i < count; i++) {
    cursor.reading = `the entry of tensor ${i + 1} of ${count}`;
    const name = cursor.string(MAX_NAME_BYTES);
    cursor.reading = `the entry of tensor ${quote(name)}`;
    if (tensors.has(name)) throw damaged(cursor.path, `${cursor.reading} occurs twice`);
    tensors.set(name, {
      name,
      dimensions: readDimensions(cursor),
      typeId: cursor.u32(),
      offset: cursor.length('an offset of'),
    });
  }
  return [...tensors.values()];
}

function readDimensions(cursor: ByteCursor): number[] {
  const count = cursor.u32();
  if (count < 1 || count > MAX_DIMENSIONS) {
    throw damaged(cursor.path, `${cursor.reading} has ${count} dimensions; expected 1 to ${MAX_DIMENSIONS}`);
  }
  const dimensions = Array.from({ length: count }, () => cursor.length('a dimension of'));
  const elements = dimensions.reduce((product, size) => product * size, 1);
  if (elements === 0 || !Number.isSafeInteger(elements)) {
    throw damaged(
      cursor.path,
      `${cursor.reading} has dimensions ${dimensions.join(' x ')}, which no tensor has`,
    );
  }
  return dimensions;
}

function alignmentOf(metadata: Metadata): number {
  const alignment = metadata.find('general.alignment', 'integer') ?? DEFAULT_ALIGNMENT;
  if (alignment < 8 || alignment % 8 !== 0) {
    throw damaged(
      metadata.path,
      `metadata key "general.alignment" is ${alignment}; expected a multiple of 8`,
    );
  }
  return alignment;
}

/** The place of a tensor and how to read it. */
export interface TensorPlace {
  dtype: TensorType;
  /** Hugging Face order: [outputs, inputs]. */
  shape: number[];
  /** Bytes from the start of the file. */
  offset: number;
  byteLength: number;
}

/**
 * The place of a tensor, checked against the file's size.
 * @throws UserError for an unsupported type, a row that is not whole blocks, a misaligned offset, or data beyond the
 *   end of the file
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

/** The same checks for a tensor that is not read and may be of an unsupported type. */
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
