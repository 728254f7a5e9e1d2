-- The fees of each article by their kind, with their share of the sales price.
-- Answers: what the marketplace takes, and for what.
-- One row per (asin, kind).
SELECT f.asin,
       k.kind,
       k.amount,
       f.currency,
       round(k.amount / nullif(f.sales_price, 0), 4) AS share_of_price
  FROM public.fees f
 CROSS JOIN LATERAL (
           VALUES ('referral', f.referral_fee),
                  ('fulfilment', f.fulfilment_fee)
       ) AS k (kind, amount)
