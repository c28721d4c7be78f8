/**
 * Undoes, in place, the order that GGUF files of the Llama family give the rows of q and k. ggml rotates neighbours
 * (rows 2i and 2i + 1 of a head), Hugging Face rotates halves (rows i and i + headDim / 2).
 * @param values [rows, columns], or a bias of [rows] with `columns` 1; `rows` is `heads` * headDim, headDim even
 */
export function undoInterleaving(values: Float32Array, rows: number, heads: number): void {
  const columns = values.length / rows;
  const headDim = rows / heads;
  const half = headDim / 2;
  for (let head = 0; head < heads; head++) {
    const first = head * headDim * columns;
    const interleaved = values.slice(first, first + headDim * columns);
    for (let i = 0; i < headDim; i++) {
      const from = i < half ? 2 * i : 2 * (i - half) + 1;
      const row = interleaved.subarray(from * columns, (from + 1) * columns);
      values.set(row, first + i * columns);
    }
  }
}
