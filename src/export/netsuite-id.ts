import { sha256 } from './json.ts';

/**
 * The external id of what a key names, the same by CSV and by REST: who imports a file and sends the same
 * lines has one invoice. In an address it may have letters, digits, `_` and `-` only (NetSuite help,
 * section_156334828635), so it is the key to read and a hash to tell keys apart: `tieout-acme_2026-10_USD-91f0...`.
 */
export function netsuiteExternalId(prefix: string, key: string): string {
    const readable = key.replaceAll(/[^A-Za-z0-9-]+/g, '_').slice(0, 60);
    return `${prefix}${readable}-${sha256(key).slice(0, 16)}`;
}
