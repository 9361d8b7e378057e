import { expect, test } from 'vitest';
import { sendAll, waybills } from '../../src/deliver/deliver.ts';
import { ownNames } from '../../src/deliver/names.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { salesforceTarget } from '../../src/deliver/salesforce.ts';
import { silent } from '../../src/effects.ts';
import { gatherInvoices } from '../../src/export/invoices.ts';
import { salesforceSchema } from '../../src/schema/deliver-salesforce.ts';
import { lineItems } from '../support/documents.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { salesforceOrg } from '../support/salesforce-stand-in.ts';

test('100,000 lines that are cut off half-way are there once after another start', async () => {
    const org = await salesforceOrg();
    const store = memoryStore({});
    const now = () => '2026-11-05T09:00:00Z';
    const settings = salesforceSchema.parse({ instance_url: org.url, concurrency: 1 });
    const environment = {
        TIEOUT_SALESFORCE_CLIENT_ID: 'client',
        TIEOUT_SALESFORCE_CLIENT_SECRET: 'secret',
    };
    const { invoices } = gatherInvoices(lineItems(100_000), new Set(['clear'] as const));
    const deliver = async (through: typeof store, start_id: string) => {
        const target = salesforceTarget({ settings, names: ownNames, environment, now }, 1);
        const outbox = await readOutbox(store, target.name, '2026-10');
        const all = waybills(target, outbox, target.pack(invoices).parcels);
        const what = { target, store: through, period: '2026-10', run_id: 'run', by: 'ada' };
        const how = { start_id, now, progress: silent, pauses: { min: 1, max: 1 } };
        return sendAll({ ...what, ...how }, all);
    };
    // After the fifth batch was taken and before that was entered.
    const cut = faultyStore(store, [{ kind: 'unreachable', operation: 19 }]);
    await expect(deliver(cut, 'one')).rejects.toThrow();
    expect(org.records.size).toBe(50_000);
    const delivered = await deliver(store, 'two');
    expect(delivered.map(({ state }) => state)).toEqual(Array(10).fill('verified'));
    expect(org.records.size).toBe(100_000);
    await org.stop();
});
