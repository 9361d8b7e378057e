-- I11: rated - debited = sum of breaks by code + accepted differences + repricing, exactly, for
-- every account and asset.
select payer_id, account_id, asset, rated, debited, broken, rounding, repriced, unexplained
from recon.tie_outs
where unexplained <> 0
order by payer_id, account_id, asset
