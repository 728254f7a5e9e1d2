"""Optional app with four pipelines and their tables: a fee API, price lists, freight rates and returns.

Each pipeline uses only public functions of `data_pipeline`, as a connector of a host does.
"""
