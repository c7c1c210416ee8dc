/** Settings that TensorFlow reads once, when it is loaded: call this before anything imports tensor/. */
export function prepareTensorFlow(configuration: { readonly deterministic: boolean }): void {
  if (configuration.deterministic) process.env['TF_DETERMINISTIC_OPS'] = '1';
}
