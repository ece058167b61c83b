import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import {
  curlCommand,
  davfsSecret,
  gnomeAddress,
  nextcloudLink,
  rcloneCommand,
} from '../../../../src/web/portal/tokens/commands.ts';

const plain = { url: 'https://cloud.example/dav/', userName: 'alice', token: 'lk_abc' };
const odd = { url: "https://cloud.example/dav/it's/", userName: `a'b "c" $(id) \`id\``, token: 'lk_abc' };

/** The words that a shell makes of a command. */
function words(command: string): readonly string[] {
  const text = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  return text.split('\n').slice(0, -1);
}

test('commands stay what they are in a shell, whatever a user name holds', () => {
  assert.equal(
    rcloneCommand(plain),
    'rclone config create latchkey webdav url=https://cloud.example/dav/ vendor=other user=alice pass=lk_abc --obscure',
  );
  assert.deepEqual(words(rcloneCommand(odd)).slice(5), [
    `url=${odd.url}`,
    'vendor=other',
    `user=${odd.userName}`,
    'pass=lk_abc',
    '--obscure',
  ]);
  assert.deepEqual(words(curlCommand(odd)).slice(1, 3), ['-u', `${odd.userName}:lk_abc`]);
});

test('the line for davfs2 quotes what would end a word', () => {
  assert.equal(davfsSecret(plain), 'https://cloud.example/dav/ alice lk_abc');
  assert.match(davfsSecret(odd), / "a'b \\"c\\" \$\(id\) `id`" lk_abc$/);
});

test('links for GNOME and Nextcloud encode the user name', () => {
  assert.equal(gnomeAddress({ ...plain, userName: 'a@b/c' }), 'davs://a%40b%2Fc@cloud.example/dav/');
  assert.equal(gnomeAddress({ ...plain, url: 'http://h:8080/dav/' }), 'dav://alice@h:8080/dav/');
  assert.equal(
    nextcloudLink({ ...plain, userName: 'a&b' }),
    'nc://login/user:a%26b&password:lk_abc&server:https%3A%2F%2Fcloud.example',
  );
});
