using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>
/// Which members are there, and which may be null. Of an answer all are always there, but those that are left out when
/// they are null. Of what is sent those are required whose type has no null; null counts as absent.
/// </summary>
internal sealed class ContractSchemas : ISchemaFilter
{
    private const string Stack = "stack";

    private static readonly HashSet<Type> Sent =
    [
        .. Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public))
            .SelectMany(method => method.GetCustomAttributes<BodyAttribute>())
            .Select(body => body.Type?.GetElementType() ?? body.Type)
            .OfType<Type>(),
    ];

    public void Apply(IOpenApiSchema described, SchemaFilterContext context)
    {
        if (described is not OpenApiSchema schema) return;
        if (schema.Description is { } comment) schema.Description = XmlDocs.OneLine(comment);
        if (schema.Type == JsonSchemaType.Null) schema.Type = null; // anything at all
        if (context is { MemberInfo: { } member } && context.Type == typeof(RawJson)) DescribeRaw(schema, member);
        if (context.MemberInfo is not null || schema.Properties is not { Count: > 0 } members) return;

        foreach (var ((type, name), list) in ContractLists.OfMembers)
            if (type == context.Type) members[name] = list.In(context.SchemaRepository.Schemas);
        if (Sent.Contains(context.Type)) SayOpen(schema);
        else schema.AdditionalPropertiesAllowed = true;
        schema.Required = new SortedSet<string>(members.Keys, StringComparer.Ordinal);
        foreach (var property in context.Type.GetProperties())
            if (IsOptional(property, context.Type)) schema.Required.Remove(NameOf(property, members.Keys));
        foreach (var property in context.Type.GetProperties().Where(IsNullable))
            if (members[NameOf(property, members.Keys)] is OpenApiSchemaReference reference)
                members[NameOf(property, members.Keys)] = OrNull(reference);
        foreach (var property in context.Type.GetProperties().Where(IsLeftOut))
            if (members[NameOf(property, members.Keys)] is OpenApiSchema value) value.Type &= ~JsonSchemaType.Null;
    }

    /// <summary>JSON that passes through as it is. A stack may be a text or, where it is sent, a list, too.</summary>
    private static void DescribeRaw(OpenApiSchema schema, MemberInfo member)
    {
        if (!member.Name.Equals(Stack, StringComparison.OrdinalIgnoreCase))
        {
            schema.Type = JsonSchemaType.Object | JsonSchemaType.Null;
            schema.AdditionalProperties = new OpenApiSchema();
            return;
        }
        schema.Type = null;
        schema.OneOf = [new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null }, AnyObject()];
        if (Sent.Contains(member.DeclaringType!))
            schema.OneOf.Add(new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema() });
    }

    /// <summary>
    /// With <c>additionalProperties: true</c>, which the library leaves out as it goes without saying: of a schema
    /// without it, some generators make an object that has no members.
    /// </summary>
    private static OpenApiSchema AnyObject()
    {
        var any = new OpenApiSchema { Type = JsonSchemaType.Object };
        SayOpen(any);
        return any;
    }

    private static void SayOpen(OpenApiSchema schema)
    {
        schema.AdditionalPropertiesAllowed = true;
        schema.Extensions = new Dictionary<string, IOpenApiExtension>
        {
            ["additionalProperties"] = new JsonNodeExtension(JsonValue.Create(true)),
        };
    }

    /// <summary>A reference cannot say of itself that it may be null.</summary>
    private static OpenApiSchema OrNull(OpenApiSchemaReference reference) =>
        new() { Type = JsonSchemaType.Object | JsonSchemaType.Null, AllOf = [reference] };

    private static bool IsOptional(PropertyInfo property, Type of) =>
        IsLeftOut(property) || Sent.Contains(of) && IsNullable(property);

    private static bool IsLeftOut(PropertyInfo property) =>
        property.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.WhenWritingNull };

    private static bool IsNullable(PropertyInfo property) =>
        new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;

    private static string NameOf(PropertyInfo property, IEnumerable<string> names) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? names.First(name => name.Replace("_", "").Equals(property.Name, StringComparison.OrdinalIgnoreCase));
}
