import { textFolder } from './data.ts';
import { nightIn } from './night.ts';
import type { Measured, Setting } from './subject.ts';

/** A whole night over NDJSON.gz. */
export const measure = (setting: Setting): Promise<Measured> =>
    nightIn(setting, textFolder(setting));
