/** Whether a URL's host name is one of this machine's loopback interface. */
export function isThisMachine(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
