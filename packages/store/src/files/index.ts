export { CHUNK_BYTES, FileWriter, readFileChunks } from './file-content.js';
export {
  beginFile,
  completeFile,
  deleteFile,
  type FileRow,
  type FilesPage,
  findFile,
  findInput,
  forgetFiles,
  type NewFile,
  pageFiles,
  purgeFiles,
  purgeRunFiles,
} from './files.js';
