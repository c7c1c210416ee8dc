/** What an option of the published system comes to here. */
export type Meaning =
  /** Settings of ours; `{stage}` stands for the stage that the file describes, `{all}` for each of its model's stages. */
  | { readonly kind: 'settings'; readonly paths: readonly string[]; readonly convert?: (value: unknown) => unknown }
  /** Only one value is built here. */
  | { readonly kind: 'only'; readonly value: unknown; readonly because: string }
  /** Where data lies: read together, see publishedPaths.ts. */
  | { readonly kind: 'path' }
  /** Has no meaning here, or is said in another way: `instead` says which, where a value other than the default is given. */
  | { readonly kind: 'ignored'; readonly instead?: string; readonly unless?: readonly unknown[] };

const to = (...paths: string[]): Meaning => ({ kind: 'settings', paths });
const converted = (convert: (value: unknown) => unknown, ...paths: string[]): Meaning => ({
  kind: 'settings',
  paths,
  convert,
});
const only = (value: unknown, because = 'the one that the paper describes, and that is built here'): Meaning => ({
  kind: 'only',
  value,
  because,
});
const path: Meaning = { kind: 'path' };
const ignored: Meaning = { kind: 'ignored' };
/** Not mentioned where it has one of these values: they are the published defaults. */
const instead = (text: string, ...unless: unknown[]): Meaning => ({ kind: 'ignored', instead: text, unless });

/** A list of one number, as a number; anything else as it is, for the check of the setting to refuse. */
const single = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
/** Published: no clipping at −1. */
const clipping = (value: unknown): unknown => (typeof value === 'number' && value <= 0 ? null : value);
/** Published: 0 decodes in the training process itself. */
const threads = (value: unknown): unknown => (value === 0 ? 1 : value);
const schedule = (value: unknown): unknown => ({ kind: value });
/** Values that are none of the published ones stay, for the check of the setting to refuse. */
const viewKind = (value: unknown): unknown =>
  value === 'stereo_images' ? 'stereo' : value === 'color_images' ? 'colour' : value;

const regions = ['face', 'ears', 'eyeballs', 'eye_region', 'lips', 'neck', 'nostrils', 'scalp', 'boundary'];
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const regionWeights = (prefix: string, group: string): Record<string, Meaning> =>
  Object.fromEntries(regions.map((region) => [`${prefix}${region}`, to(`${group}.${camelCase(region)}`)]));

/** Options whose value is a group of options. */
export const groupedOptions: readonly string[] = ['edge_mask_weights', 'point_mask_weights'];

/** Of both models. Paths of data and vertex masks are the run's; how long is the stage's. */
const common: Record<string, Meaning> = {
  batch_size: to('training.{all}.batchSize'),
  brightness_sigma: to('training.{all}.augmentation.brightnessSigma'),
  calibration_directory: path,
  config_filename: ignored,
  dataset_directory: only('', 'the folders are named one by one'),
  descriptor_dim: to('model.coarse.featureNet.featureChannels', 'model.refinement.featureNet.featureChannels'),
  experiment_id: instead('a run is named by --run', '', 'TEMPEH'),
  feature_arch: only('uresnet2'),
  gpu: instead('a worker takes the devices that CUDA_VISIBLE_DEVICES names', 0, '0', ''),
  gmo_sigma: to('training.{all}.losses.gemanMcClureSigma'),
  gradient_max_norm: converted(clipping, 'training.{all}.gradientClipping'),
  image_directory: path,
  image_file_ext: to('dataset.imageExtension'),
  image_resize_factor: to('training.{all}.imageResizeFactor'),
  input_image_type: converted(viewKind, 'viewKind'),
  learning_rate: to('training.{all}.learningRate'),
  lr_type: converted(schedule, 'training.{all}.schedule'),
  minimum_sample_views: to('training.{all}.views.minimum'),
  model_directory: instead(
    'checkpoints are kept in the object store, storage.*',
    '',
    './runs/coarse',
    './runs/refinement',
  ),
  norm: only('bn'),
  num_iterations: to('training.{stage}.iterations'),
  // As many vertices as the template has.
  number_sample_points: ignored,
  pretrained_path: instead('read the weights by tempeh-flow import-checkpoint FILE --run RUN', ''),
  print_frequency: to('training.{all}.logEvery'),
  processed_directory: path,
  resume_path: instead('tempeh-flow import-checkpoint FILE --run RUN, then start it: it goes on from there', ''),
  sample_views: to('training.{all}.views.random'),
  save_frequency: to('training.{all}.checkpointEvery'),
  scan_directory: path,
  scan_vertex_count: to('training.{all}.scanPoints'),
  seed: to('seed'),
  template_fname: path,
  thread_num: converted(threads, 'loader.threads'),
  train_data_list_fname: path,
  val_data_list_fname: path,
  validate_frequency: to('training.{all}.validateEvery'),
  vertex_mask_fname: path,
  visualize_frequency: to('training.{all}.picturesEvery'),
  weight_edge_regularizer: to('training.{stage}.losses.edges'),
  weight_points2surface: to('training.{stage}.losses.pointsToSurface'),
  weight_points_recon: to('training.{stage}.losses.points'),
  ...regionWeights('w_edge_', 'training.{all}.edgeRegionWeights'),
  ...regionWeights('w_point_', 'training.{stage}.pointRegionWeights'),
};

const coarse: Record<string, Meaning> = {
  global_arch: only('v2v2'),
  global_feature_fusion: only('mean_var'),
  global_origin: to('model.coarse.gridOrigin'),
  global_spatial_transformer: only('rigid_transformer'),
  global_spatial_transformer_dim: to('model.coarse.localiser.channels'),
  global_transformer_levels: to('model.coarse.localiser.levels'),
  global_transformer_scale_factor: to('model.coarse.localiser.scaleFactor'),
  global_transformer_use_pooling: only(true),
  global_voxel_dim: to('model.coarse.gridSide'),
  global_voxel_inc: to('model.coarse.gridSpacing'),
  point2point_loss_function: only('mse'),
};

const refinement: Record<string, Meaning> = {
  global_embedding_type: only('coords'),
  global_model_root_dir: instead(
    'the refinement starts from the run’s own coarse model: tempeh-flow import-checkpoint FILE --run RUN, or start --from RUN/coarse',
    '',
  ),
  global_registration_root_dir: instead(
    'coarse predictions are the run’s own, made by its step predictions: tempeh-flow start predictions --run RUN',
    '',
  ),
  local_arch: only('v2v'),
  local_feature_fusion: only('visibility_filtered_normal_weighted_mean_var_v2'),
  local_spatial_transformer: only('none'),
  // Options of a transformer that does nothing.
  local_spatial_transformer_dim: ignored,
  local_transformer_levels: ignored,
  local_transformer_scale_factor: ignored,
  local_voxel_dim: to('model.refinement.gridSide'),
  local_voxel_inc_list: converted(single, 'model.refinement.gridSpacing'),
  weight_texture_recon: only(0, 'there is no loss on texture'),
};

/** All options of the published system, by the model whose configuration has them. */
export const publishedOptions = { common, coarse, refinement } as const;
