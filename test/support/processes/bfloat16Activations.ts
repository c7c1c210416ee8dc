// Imported before anything that loads tensor/, as workers/prepareTensorFlow does it.
process.env['TEMPEH_ACTIVATIONS'] = 'bfloat16';
