-- Returned units and refunds of each day.
-- Answers: what comes back, from which vendor, and what it costs.
-- One row per (returned_on, vendor, sku). The vendor is null if the report does not name it.
SELECT returned_on,
       vendor,
       sku,
       count(*) AS returns,
       sum(quantity) AS returned_units,
       sum(refund_amount) AS refund_amount
  FROM public.returns_raw
 GROUP BY returned_on, vendor, sku
