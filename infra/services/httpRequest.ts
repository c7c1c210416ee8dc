import http from 'node:http';
import { loopback } from './ports.js';

// An agent of our own: the global one may be told by the environment to go through a proxy.
const agent = new http.Agent({ keepAlive: false });

/** GETs a page of a service on this machine. @throws it does not answer within two seconds */
export function getLocal(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: loopback, port, path, agent, timeout: 2000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.on('error', reject);
  });
}
