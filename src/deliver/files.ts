import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunError } from '../errors/index.ts';
import { canonicalJson, type JsonValue, sha256 } from '../export/json.ts';
import type { Waybill } from './deliver.ts';
import type { Target } from './target.ts';

/**
 * Writes all parcels as files, and `parcels.json` with the key, lines, sum and hash of each. Only into a
 * folder that is new or empty: files of another delivery beside these would be loaded with them.
 * @throws RunError USAGE
 */
export function writeParcels(folder: string, target: Target, all: readonly Waybill[]): void {
    mkdirSync(folder, { recursive: true });
    if (readdirSync(folder).length > 0) {
        throw new RunError('USAGE', {
            detail: `${folder} is not empty`,
            remedy: 'Name a new folder with --out.',
        });
    }
    const parcels = all.map(({ parcel }) => {
        const { parcel_key, payer_id, currency, line_count, amount, payload } = parcel;
        const { ending, text } = target.file?.(parcel) ?? {
            ending: 'json',
            text: `${canonicalJson(payload)}\n`,
        };
        // Keys are of other people: a hash tells two apart that are the same without their signs.
        const plain = parcel_key.replaceAll(/[^A-Za-z0-9-]+/g, '_').slice(0, 80);
        const file = `${plain}-${sha256(parcel_key).slice(0, 12)}.${ending}`;
        writeFileSync(join(folder, file), text);
        const what = { file, parcel_key, payer_id, currency, line_count, amount };
        return { ...what, sha256: sha256(text) };
    });
    const document = { document: 'tieout/parcels/1', target: target.name, parcels };
    writeFileSync(join(folder, 'parcels.json'), `${canonicalJson(document as JsonValue)}\n`);
}
