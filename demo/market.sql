-- The return on investment of each article, for the reports of the demo's marketplace. Safe to run again and again.
-- The tables are those of the app data_pipeline.pipelines.

CREATE OR REPLACE VIEW reporting.v_roi_full AS
WITH latest_prices AS (
    SELECT DISTINCT ON (vendor, sku) vendor, sku, price, currency
    FROM public.prices
    ORDER BY vendor, sku, valid_from DESC
),
latest_freight AS (
    SELECT DISTINCT ON (lane, service) price_per_kg, currency
    FROM public.freight_rates
    ORDER BY lane, service, valid_from DESC
),
freight AS (
    SELECT currency, min(price_per_kg) AS price_per_kg FROM latest_freight GROUP BY currency
),
returned AS (
    SELECT sku, sum(quantity) AS units FROM public.returns_raw GROUP BY sku
)
SELECT
    p.vendor, p.sku AS asin, p.currency, p.price AS cost, f.sales_price, f.referral_fee + f.fulfilment_fee AS fees,
    t.price_per_kg AS freight, coalesce(r.units, 0) AS returned_units,
    f.sales_price - f.referral_fee - f.fulfilment_fee - t.price_per_kg - p.price AS profit,
    round((f.sales_price - f.referral_fee - f.fulfilment_fee - t.price_per_kg - p.price) / nullif(p.price, 0), 4) AS roi
FROM latest_prices AS p
JOIN public.fees AS f ON f.asin = p.sku AND f.currency = p.currency
JOIN freight AS t ON t.currency = p.currency
LEFT JOIN returned AS r ON r.sku = p.sku;
COMMENT ON VIEW reporting.v_roi_full IS
    'Demo: cost, fees, freight of one kilogram, profit and return on investment of each article of a vendor';
