-- Each level of a channel has the quantities and events of the usage under it, meter by meter.
with
used as (
    select
        channels.channel_id,
        channels.level_no,
        usage.meter,
        sum(usage.quantity) as quantity,
        sum(usage.event_count) as event_count
    from metered.usage as usage
    inner join accounts.channels as channels on usage.channel_id = channels.channel_id
    group by channels.channel_id, channels.level_no, usage.meter
),

sold as (
    select channel_id, level_no, meter, sum(quantity) as quantity, sum(event_count) as event_count
    from metered.sales
    group by channel_id, level_no, meter
)

select
    coalesce(used.channel_id, sold.channel_id) as channel_id,
    coalesce(used.level_no, sold.level_no) as level_no,
    coalesce(used.meter, sold.meter) as meter,
    used.quantity as used_quantity,
    sold.quantity as sold_quantity
from used
full outer join sold
    on used.channel_id = sold.channel_id
    and used.level_no = sold.level_no
    and used.meter = sold.meter
where used.quantity is distinct from sold.quantity
    or used.event_count is distinct from sold.event_count
order by channel_id, level_no, meter
