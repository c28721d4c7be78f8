import { expect, test } from 'vitest';
import { openLog, withoutPasswords } from './log.js';

test('a password in a URL is taken out wherever it stands', () => {
  const lines: string[] = [];
  const log = openLog(
    { logLevel: 'trace', logFormat: 'json' },
    { write: (line: string) => lines.push(line) },
  );
  log.info({ url: 'postgres://tocsin:secret@db:5432/x' }, 'at redis://:secret@queue:6379');
  log.warn({ reason: 'connect to https://name:secret@host/ failed' }, 'hm');
  expect(lines.join('')).not.toContain('secret');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    url: 'postgres://tocsin:***@db:5432/x',
    msg: 'at redis://:***@queue:6379',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});

test('lines for people have a UTC time, no passwords, and no control characters', () => {
  const lines: string[] = [];
  const log = openLog(
    { logLevel: 'info', logFormat: 'pretty' },
    { write: (line: string) => lines.push(line) },
  );
  log.info({ run: 7 }, 'at redis://:secret@queue:6379 \u001b[2J');
  const text = lines.join('');
  expect(text).toMatch(/^\[\d{4}-\d\d-\d\d [\d:]+Z\] INFO: at redis:\/\/:\*\*\*@queue:6379/);
  expect(text).toContain('run: 7');
  expect(text).not.toContain('\u001b');
});

test('what has no password stays as it is', () => {
  const line = '{"at":"http://127.0.0.1:9464","time":1,"to":"a@b"}';
  expect(withoutPasswords(line)).toBe(line);
});
