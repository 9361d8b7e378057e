import type { Hono } from 'hono';
import type { Desk } from './app.ts';
import { comeBack, doneMark, payerBy, saidOfBreaks, saidOfPayer, withMark } from './decisions.ts';
import { formOf, type Known, requireName } from './guard.ts';
import { ofPeriod } from './routes.ts';

/**
 * What people decide. Every answer leads back to a page that is read, so that loading it anew enters
 * nothing twice. That the token was shown and the own site sent the form was seen to before.
 */
export function workRoutes(app: Hono<Known>, { site, library }: Desk): void {
    app.post(`${ofPeriod}/decide`, async (c) => {
        const form = await formOf(c);
        const by = requireName(c);
        const { period } = c.req.param();
        const { standing } = await library.standing(period);
        const { saying, count, deed } = saidOfBreaks(form, standing, by);
        const { items } = await site.say(period, saying);
        const waits = deed.startsWith('resolve') && items.some(({ proposed }) => proposed !== null);
        const back = comeBack(form, `/periods/${period}/breaks`);
        return c.redirect(withMark(back, doneMark(waits ? 'propose' : deed, count)), 303);
    });
    app.post(`${ofPeriod}/payers/:key{[0-9a-f]{16}}`, async (c) => {
        const form = await formOf(c);
        const by = requireName(c);
        const { period, key } = c.req.param();
        const { standing } = await library.standing(period);
        const { payer_id } = payerBy(standing, key);
        const said = saidOfPayer(form);
        await library.alone(() => site.let(payer_id, { period, by, ...said }));
        const now = payerBy((await library.standing(period)).standing, key);
        const done = now.proposed ? 'propose-release' : 'release';
        const mark = doneMark(said.withdraw ? 'withdraw' : done, 1);
        return c.redirect(withMark(`/periods/${period}/payers/${key}`, mark), 303);
    });
}
