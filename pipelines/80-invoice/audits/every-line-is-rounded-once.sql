-- I13: the rounded amount is within half a minor unit of the exact one.
select line_items.line_key, line_items.amount_exact, line_items.amount, currencies.exponent
from invoice.line_items as line_items
inner join rules.currencies as currencies on line_items.currency = currencies.currency
where abs(line_items.amount_exact - line_items.amount) > case currencies.exponent
        when 0 then 0.5 when 1 then 0.05 when 2 then 0.005 when 3 then 0.0005 else 0.00005
    end
order by line_items.line_key
