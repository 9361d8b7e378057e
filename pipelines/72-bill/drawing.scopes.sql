-- Products that grants are for.
-- Grain: owner_id, grant_id, product.
select grants.payer_id as owner_id, grants.grant_id, products.product
from rules.grants as grants
inner join rules.holder_products as products
    on grants.payer_id = products.payer_id
    and grants.grant_id = products.holder_id
where grants.meter is null
