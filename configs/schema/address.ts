import { z } from 'zod';

/** An http(s) address without user name and password: a configuration is stored and shown, credentials never are. */
export const addressSchema = z.url({ protocol: /^https?$/ }).refine((address) => {
  if (!URL.canParse(address)) return true; // said already
  const { username, password } = new URL(address);
  return username === '' && password === '';
}, 'holds a user name or a password, but a configuration is stored with its run: put credentials into the worker’s environment');
