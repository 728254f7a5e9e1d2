-- The return on investment of each article, stored for pages and queries.
-- Answers: which articles of which vendor are worth buying.
-- One row per (vendor, asin). Reads every table of the marketplace through the view.
SELECT vendor, asin, currency, cost, sales_price, fees, freight, returned_units, profit, roi
  FROM reporting.v_roi_full
