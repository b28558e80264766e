import assert from 'node:assert/strict';
import { averagePrecision, rankClass, type ImageBoxes } from '../../../src/engine/detection/averagePrecision';
import { parseCoco } from '../../../src/engine/detection/coco';
import { parseVoc } from '../../../src/engine/detection/voc';
import { parseYolo } from '../../../src/engine/detection/yolo';

const target = (x1: number, ignored = false) => ({ label: 0, x1, y1: 0, x2: x1 + 10, y2: 10, ignored });
const found = (x1: number, score: number) => ({ label: 0, x1, y1: 0, x2: x1 + 10, y2: 10, score });

describe('average precision', () => {
  const images: ImageBoxes[] = [
    // A hit, a second box on the same target, one on an ignored target, one on nothing.
    { targets: [target(0), target(100, true)], found: [found(1, 0.9), found(0, 0.8), found(101, 0.7), found(50, 0.6)] },
    { targets: [target(0), target(40)], found: [found(40, 0.5)] },
  ];

  it('counts hits, doubles and misses as the VOC kit does', () => {
    const ranking = rankClass(images, 0, 0.5, 'coco');
    assert.deepEqual([...ranking.hits], [1, 0, 0, 1]);
    assert.equal(ranking.targets, 3);
    // Precision 1 up to a recall of 1/3, then 2/4 up to 2/3.
    const { all, eleven } = averagePrecision(ranking)!;
    assert.ok(Math.abs(all - (1 / 3 + 0.5 / 3)) < 1e-12);
    assert.ok(Math.abs(eleven - (4 * 1 + 3 * 0.5) / 11) < 1e-12);
  });

  it('weighs images as if they were there so often', () => {
    const twice = rankClass([images[0], images[0], images[1]], 0, 0.5, 'coco');
    const weighted = averagePrecision(rankClass(images, 0, 0.5, 'coco'), [2, 1]);
    assert.ok(Math.abs(averagePrecision(twice)!.all - weighted!.all) < 1e-12);
    assert.equal(averagePrecision(rankClass(images, 1, 0.5, 'coco')), null);
  });
});

describe('annotations', () => {
  const voc = (inner: string): string => `<annotation>\n<object>\n<name>cat</name>${inner}</object>\n</annotation>`;

  it('VOC: borders, difficult, and the line of a fault', () => {
    const box = '<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>10</xmax><ymax>20</ymax></bndbox><difficult>1</difficult>';
    assert.deepEqual(parseVoc(voc(box), 'a.xml'), [{ label: 'cat', x1: 0, y1: 1, x2: 10, y2: 20, ignored: true }]);
    assert.throws(() => parseVoc(voc('<bndbox><xmin>1</xmin></bndbox>'), 'a.xml'), /a\.xml:2: .*<ymin>/);
    assert.throws(() => parseVoc('<annotation>\n<object>\n', 'a.xml'), /a\.xml:\d+: /);
    const sized = voc(`\n${box.replace('>10<', '>99<')}`).replace('</annotation>', '<size><width>50</width></size>$&');
    assert.throws(() => parseVoc(sized, 'a.xml'), /a\.xml:2: .*beyond the image's 50×/);
    assert.throws(() => parseVoc('<html></html>', 'a.xml'), /a\.xml:1: .*<html>/);
  });

  it('YOLO: centre and size, and the line of a fault', () => {
    const [box] = parseYolo('1 0.5 0.5 0.2 0.4\n', 'a.txt', ['a', 'b']);
    assert.equal(box.label, 'b');
    assert.ok(Math.abs(box.x1 - 0.4) < 1e-12 && Math.abs(box.y2 - 0.7) < 1e-12);
    assert.throws(() => parseYolo('0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1', 'a.txt', ['a', 'b']), /a\.txt:2: class 2/);
    assert.throws(() => parseYolo('0 0.5 0.5', 'a.txt', ['a']), /a\.txt:1: /);
    assert.throws(() => parseYolo('0 50 50 10 10', 'a.txt', ['a']), /a\.txt:1: .*from 0 to 1/);
    assert.throws(() => parseYolo('0 0.5 0.5 0 0.1', 'a.txt', ['a']), /a\.txt:1: width and height/);
    assert.throws(() => parseYolo('\n0 0.1 0.2 0.3 0.4 0.5 0.6 0.7', 'a.txt', ['a']), /a\.txt:2: .*polygon/);
  });

  it('COCO: boxes by file name, and the place of a fault', () => {
    const file = (annotation: object): string =>
      JSON.stringify({
        images: [{ id: 7, file_name: 'a.jpg', width: 100, height: 50 }],
        categories: [{ id: 3, name: 'cat' }],
        annotations: [annotation],
      });
    const good = { image_id: 7, category_id: 3, bbox: [1, 2, 3, 4], iscrowd: 0 };
    assert.deepEqual(parseCoco(file(good), 'c.json', false)!.get('a.jpg'), [
      { label: 'cat', x1: 1, y1: 2, x2: 4, y2: 6, ignored: false },
    ]);
    assert.throws(() => parseCoco(file({ ...good, image_id: 8 }), 'c.json', false), /\/annotations\/0 .*image_id/);
    assert.throws(() => parseCoco(file({ ...good, bbox: [1] }), 'c.json', false), /\/annotations\/0 .*bbox/);
    assert.throws(
      () => parseCoco(file({ ...good, bbox: [90, 2, 30, 4] }), 'c.json', false),
      /\/annotations\/0 .*beyond the image's 100×50/,
    );
    const lines = JSON.stringify(
      { ...(JSON.parse(file(good)) as object), annotations: [good, { ...good, bbox: 0 }] },
      null,
      1,
    );
    const line = lines.split('\n').findIndex((l) => l.includes('"bbox": 0')) - 3;
    assert.throws(() => parseCoco(lines, 'c.json', false), new RegExp(`c\\.json:${line + 1}: /annotations/1 .*bbox`));
    assert.equal(parseCoco('{}', 'c.json', true), null);
  });
});
