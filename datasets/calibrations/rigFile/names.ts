/** What fields are called, by the programs and people who write calibration files. */
export const names = {
  cameraMatrix: ['camera_matrix', 'cameraMatrix', 'intrinsic_matrix', 'intrinsics', 'K', 'M'],
  focalX: ['fx', 'fl_x', 'focal_x'],
  focalY: ['fy', 'fl_y', 'focal_y'],
  principalX: ['cx', 'ppx'],
  principalY: ['cy', 'ppy'],
  distortion: [
    'distortion_coefficients',
    'distortionCoefficients',
    'dist_coeffs',
    'distCoeffs',
    'distCoef',
    'dist_coef',
    'distortion',
    'dist',
    'D',
    'kc',
    'coefficients',
  ],
  rotation: ['rotation', 'rotation_matrix', 'rotationMatrix', 'R', 'rotation_vector', 'rvec'],
  translation: ['translation', 'translation_vector', 'T', 't', 'tvec'],
  transform: ['extrinsic_matrix', 'extrinsics_matrix', 'transform', 'pose', 'RT'],
  imageSize: ['image_size', 'imageSize', 'resolution', 'size'],
  width: ['image_width', 'imageWidth', 'width', 'w'],
  height: ['image_height', 'imageHeight', 'height', 'h'],
  units: ['units', 'unit'],
  extrinsics: ['extrinsics', 'extrinsics_direction', 'direction'],
  model: ['distortion_model', 'camera_model', 'model'],
  fisheye: ['fisheye_model', 'fisheye', 'is_fisheye', 'isFisheye', 'is_latlong', 'is_equirectangular', 'is_panorama'],
  name: ['name', 'camera_name', 'cameraName'],
} as const;

/** Coefficients that stand each by its own name, in OpenCV's order. */
export const coefficientNames = ['k1', 'k2', 'p1', 'p2', 'k3', 'k4', 'k5', 'k6', 's1', 's2', 's3', 's4'] as const;
