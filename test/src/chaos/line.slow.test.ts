import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Line } from './line.js';

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

test('what is said comes through both ways, until it is cut; then both ends know, and nobody gets in until it is mended', async () => {
  const served: Socket[] = [];
  const echo = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const line = await Line.to((echo.address() as AddressInfo).port);
  const dial = (): Socket => connect(line.port, '127.0.0.1').on('error', () => {});
  const ask = async (socket: Socket, word: string): Promise<string> => {
    socket.write(word);
    return String(await once(socket, 'data'));
  };

  const [first, second] = [dial(), dial()];
  expect(await Promise.all([ask(first, 'one'), ask(second, 'two')])).toEqual(['one', 'two']);
  const gone = Promise.all([first, second, ...served].map(closed));
  expect(line.cut()).toBe(2);
  await gone;

  const refused = dial();
  await closed(refused);
  line.mend();
  const third = dial();
  expect(await ask(third, 'three')).toBe('three');
  third.destroy();
  await line.close();
  echo.close();
  await once(echo, 'close');
});
