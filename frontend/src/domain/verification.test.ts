import { expect, test } from 'vitest';
import { verifying } from './verification';

test.each([
  [{ response_path: null, kafka_partition: 0 }, /anew from exactly these ticks/],
  [{ response_path: 'vendor/a.json', kafka_partition: null }, /against the vendor’s answer/],
])('verifying %j is said', (version, words) => {
  expect(verifying(version)).toMatch(words);
});

test.each([null, -1])('nothing is said of verifying where neither ticks nor an answer are kept, partition %s', (kafka_partition) => {
  expect(verifying({ response_path: null, kafka_partition })).toBeNull();
});
