import { randomUUID } from 'node:crypto';
import { type Delivered, type Sending, sendAll, waybills } from '../../src/deliver/deliver.ts';
import { ownNames, readNames } from '../../src/deliver/names.ts';
import { netsuiteTarget } from '../../src/deliver/netsuite.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import type { Opening } from '../../src/deliver/target.ts';
import { silent } from '../../src/effects.ts';
import { type DeliveryProblem, gatherInvoices } from '../../src/export/invoices.ts';
import {
    type NetsuiteSettings,
    netsuiteSettingsSchema,
} from '../../src/schema/deliver-netsuite.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { NetsuiteStandIn } from './netsuite-stand-in.ts';

/** Acme is customer 1207 of subsidiary 3, zeta customer 1208; inference is item 144. */
export const netsuiteNames = [
    'kind,ours,target,theirs',
    'payer,acme,netsuite,1207',
    'payer,zeta ?#%,netsuite,1208',
    'product,inference,netsuite,144',
    'subsidiary,acme,netsuite,3',
    '',
].join('\n');

type Input = Partial<Record<keyof NetsuiteSettings, unknown>>;

export const netsuiteSettings = (over: Input = {}): NetsuiteSettings =>
    netsuiteSettingsSchema.parse({
        ...{ account: '1234567_SB1', client_id: 'client', certificate_id: 'certificate' },
        ...{ currencies: { USD: '1', EUR: '4' }, concurrency: 1, per_second: 1_000 },
        ...over,
    });

export interface Delivery {
    readonly settings?: Input;
    /** The text of names.csv, or null for none. */
    readonly names?: string | null;
    readonly environment?: Opening<NetsuiteSettings>['environment'];
    readonly now?: () => string;
}

/** Opens the target against a stand-in. */
export function openNetsuite(
    { url, privateKey }: Pick<NetsuiteStandIn, 'url' | 'privateKey'>,
    { settings, names = netsuiteNames, environment, now }: Delivery = {},
) {
    return netsuiteTarget({
        settings: netsuiteSettings({ url, ...settings }),
        names: names === null ? ownNames : readNames('names.csv', names, 'netsuite'),
        environment: environment ?? { TIEOUT_NETSUITE_PRIVATE_KEY: privateKey },
        now: now ?? (() => '2026-11-05T09:00:00Z'),
    });
}

/** One start of a delivery of these lines. */
export async function deliverTo(
    standIn: Pick<NetsuiteStandIn, 'url' | 'privateKey'>,
    store: ObjectStore,
    lines: readonly LineItem[],
    delivery: Delivery = {},
): Promise<{ readonly sent: readonly Delivered[]; readonly problems: readonly DeliveryProblem[] }> {
    const target = openNetsuite(standIn, delivery);
    const now = delivery.now ?? (() => '2026-11-05T09:00:00Z');
    const sending: Sending = {
        ...{ target, store, period: '2026-10', run_id: 'run', by: 'ada', now },
        ...{ start_id: randomUUID(), progress: silent, pauses: { min: 1, max: 1 } },
    };
    const { invoices } = gatherInvoices(lines, new Set(['clear'] as const));
    const { parcels, problems } = target.pack(invoices);
    const outbox = await readOutbox(store, target.name, '2026-10');
    return { sent: await sendAll(sending, waybills(target, outbox, parcels)), problems };
}
