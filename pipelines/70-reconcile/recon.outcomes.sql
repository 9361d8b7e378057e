-- Every outcome, however it was found: the partition of all usage and all debits of the period.
-- Grain: as declared.
select * from recon.plain_outcomes
union all by name
select * from recon.life_outcomes
union all by name
select * from recon.group_outcomes
union all by name
select * from recon.entry_outcomes
