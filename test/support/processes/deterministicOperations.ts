// Imported before anything that loads TensorFlow, as workers/prepareTensorFlow does it: on two threads the gradient of
// the sampler adds up in the order in which they come, otherwise.
process.env['TF_DETERMINISTIC_OPS'] = '1';
