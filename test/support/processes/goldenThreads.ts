// Imported before anything that loads TensorFlow. The golden steps' tolerances are those of sums over two threads' parts:
// their networks are random, and another order of summation moves a loss by more than one of another formula would.
process.env['TF_NUM_INTRAOP_THREADS'] = '2';
