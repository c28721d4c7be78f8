import { execFile } from 'node:child_process';

const CORE = new URL('../../dist/index.js', import.meta.url).href;

/** Runs a module that has everything of this package in scope. @returns how it ends by itself */
export function endOf(source: string): Promise<{ code: number; stdout: string }> {
  const module = `import { abortable, Loop, TimeoutError, within } from '${CORE}'; ${source}`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', module], (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    );
  });
}
