/** Pascal VOC's classes in their usual order. */
const VOC_LABELS: readonly string[] = (
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep ' +
  'sofa train tvmonitor'
).split(' ');

/** COCO's 80 classes in their usual order. */
const COCO_LABELS: readonly string[] = (
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,' +
  'bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,' +
  'skis,' +
  'snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,' +
  'fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,' +
  'potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,' +
  'refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'
).split(',');

/** Names that VOC and COCO have for the same thing. */
const ALIASES: Readonly<Record<string, string>> = {
  airplane: 'aeroplane',
  motorcycle: 'motorbike',
  couch: 'sofa',
  tv: 'tvmonitor',
  'tv monitor': 'tvmonitor',
  'potted plant': 'pottedplant',
  'dining table': 'diningtable',
};

/** A label in the form in which labels are compared: lower case, VOC's name where there are two. */
export function labelKey(label: string): string {
  const key = label.trim().toLowerCase().replaceAll('_', ' ');
  return ALIASES[key] ?? key;
}

/** Labels for this many classes: those of the data set that has so many, or numbers. */
export function defaultLabels(count: number, single = 'object'): string[] {
  if (count === VOC_LABELS.length) return [...VOC_LABELS];
  if (count === COCO_LABELS.length) return [...COCO_LABELS];
  return count === 1 ? [single] : Array.from({ length: count }, (_, i) => `class ${i}`);
}
