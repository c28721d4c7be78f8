import { errorOf, noAnswer } from './api-error.js';
import { address } from './request.js';

/**
 * Sends a form with a file. XMLHttpRequest, since fetch does not say how far it is.
 * @param onProgress told the part that is sent, in [0, 1]
 * @throws ApiError
 */
export function upload<T>(path: string, form: FormData, onProgress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    sender.open('POST', address(path));
    sender.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(loaded / total);
    };
    sender.onerror = () => reject(noAnswer());
    sender.onload = () => {
      if (sender.status >= 200 && sender.status < 300) resolve(JSON.parse(sender.responseText) as T);
      else reject(errorOf(sender.status, sender.responseText));
    };
    sender.send(form);
  });
}
