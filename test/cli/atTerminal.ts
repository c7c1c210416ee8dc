import { spawn } from 'node:child_process';

/** A pseudo-terminal, which Node has none of: types each answer when its question is shown. */
const terminal = `
import json, os, pty, sys
command, answers = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
shown = b""
seen = 0
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if answers and answers[0][0].encode() in shown[seen:]:
        seen = len(shown)
        os.write(fd, answers.pop(0)[1].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "shown": shown.decode()}))
`;

/**
 * Runs a command at a terminal.
 *
 * @param answers what is typed when which question is shown.
 * @param environment beside ours, from which credentials are left out.
 */
export async function atTerminal(
  command: readonly string[],
  answers: readonly (readonly [string, string])[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; shown: string }> {
  const { TEMPEH_USERNAME: _user, TEMPEH_PASSWORD: _password, ...inherited } = process.env;
  const child = spawn('python3', ['-c', terminal, JSON.stringify([command, answers])], {
    env: { ...inherited, TEMPEH_DIRECTORY: '/nonexistent', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as { code: number; shown: string };
}
