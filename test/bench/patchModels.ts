/** Networks that arenas and schedules are measured on. */
export const patchModels = [
  'mobilenetv2_1.0_224_tv',
  'mobilenetv1_0.25_224_imagenet',
  'squeezenet1.1_224_imagenet',
  'mcunet_vww_80',
  'face_rfb320',
];
